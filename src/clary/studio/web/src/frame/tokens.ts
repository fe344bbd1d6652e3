/** Clary's accent, in the design system's own names; vite.config.ts makes a stylesheet of it when the pages are built. */
const accent = { light: "#0f766e", dark: "#2dd4bf" };
const stronger = { light: "#115e59", dark: "#5eead4" };

export const tokens = {
  colorBackgroundButtonPrimaryDefault: accent,
  colorBackgroundButtonPrimaryHover: stronger,
  colorBackgroundButtonPrimaryActive: stronger,
  colorTextLinkDefault: { light: "#0f766e", dark: "#5eead4" },
  colorTextLinkHover: stronger,
  colorTextAccent: accent,
  colorBorderButtonNormalDefault: accent,
  colorBorderButtonNormalHover: stronger,
  colorTextButtonNormalDefault: accent,
  colorTextButtonNormalHover: stronger,
  colorBackgroundControlChecked: accent,
  colorBackgroundSegmentActive: accent,
  colorBorderSegmentActive: accent,
  colorTextSegmentHover: accent,
  colorBackgroundSliderHandleDefault: accent,
  colorBackgroundSliderHandleActive: stronger,
  colorBackgroundSliderRangeDefault: accent,
  colorBackgroundSliderRangeActive: stronger,
  colorBorderItemFocused: accent,
  colorBorderItemSelected: accent,
  colorBackgroundItemSelected: { light: "#f0fdfa", dark: "#0f2d2b" },
};
