import { applyDensity, applyMode, Density, Mode } from "@cloudscape-design/global-styles";

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
