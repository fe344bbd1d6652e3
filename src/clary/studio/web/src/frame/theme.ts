import { applyDensity, applyMode, Density, Mode } from "@cloudscape-design/global-styles";
import { applyTheme as applyTokens } from "@cloudscape-design/components/theming";

export type Theme = "light" | "dark" | "system";
const KEY = "clary-theme";

/** The theme that this browser chose; what the system says where it chose none. */
export function savedTheme(): Theme {
  const saved = localStorage.getItem(KEY);
  return saved === "light" || saved === "dark" ? saved : "system";
}

/** Whether pages are dark now. */
export function isDark(): boolean {
  return document.body.classList.contains("awsui-dark-mode");
}

/** Show all pages in a theme, and keep the choice. */
export function applyTheme(theme: Theme): void {
  if (theme === "system") localStorage.removeItem(KEY);
  else localStorage.setItem(KEY, theme);
  const dark = theme === "dark" || (theme === "system" && matchMedia("(prefers-color-scheme: dark)").matches);
  applyMode(dark ? Mode.Dark : Mode.Light);
  applyDensity(Density.Compact);
  document.dispatchEvent(new Event("clary-theme"));
}

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  if (savedTheme() === "system") applyTheme("system");
});

const accent = { light: "#0f766e", dark: "#2dd4bf" };
const stronger = { light: "#115e59", dark: "#5eead4" };
applyTokens({
  theme: {
    tokens: {
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
      colorBorderItemFocused: accent,
      colorBorderItemSelected: accent,
      colorBackgroundItemSelected: { light: "#f0fdfa", dark: "#0f2d2b" },
    },
  },
});
