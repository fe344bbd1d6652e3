import { fileURLToPath } from "node:url";

import react from "@vitejs/plugin-react";
import { rolldown } from "rolldown";
import { defineConfig, type Plugin } from "vite";

// Where `./dev studio --watch` finds the Clary whose API the pages speak.
const clary = process.env.CLARY_URL ?? "http://127.0.0.1:7788";

const THEME = "virtual:clary-theme.css";
const TOKENS = fileURLToPath(new URL("src/frame/tokens.ts", import.meta.url));

/**
 * The stylesheet of Clary's accent, computed while the pages are built.
 *
 * The design system can do it in the browser too; that takes 750 KB of tables, and a second of every first view.
 */
function theme(): Plugin {
  return {
    name: "clary-theme",
    resolveId: (id) => (id === THEME ? `/@clary/${THEME.replace("virtual:", "")}` : undefined),
    async load(id) {
      if (id !== "/@clary/clary-theme.css") return undefined;
      this.addWatchFile(TOKENS);
      const entry = "clary-theme-entry";
      const bundle = await rolldown({
        input: entry,
        logLevel: "silent",
        plugins: [
          {
            name: entry,
            resolveId: (source) => (source === entry ? TOKENS.replace("tokens.ts", `${entry}.ts`) : undefined),
            load: (source) =>
              source.endsWith(`${entry}.ts`)
                ? `import { generateThemeStylesheet } from "@cloudscape-design/components/theming";
                   import { tokens } from "./tokens";
                   export default generateThemeStylesheet({ theme: { tokens } });`
                : undefined,
          },
        ],
      });
      const { output } = await bundle.generate({ format: "esm" });
      await bundle.close();
      const made = (await import(`data:text/javascript;base64,${Buffer.from(output[0].code).toString("base64")}`)) as { default: string };
      return made.default;
    },
  };
}

export default defineConfig({
  plugins: [react(), theme()],
  // The page says where it lives (<base href>), so that Studio works below any path.
  base: "./",
  build: {
    outDir: "../static",
    emptyOutDir: true,
    assetsDir: "assets",
    chunkSizeWarningLimit: 900,
    modulePreload: { polyfill: false },
    // What is not used of it compiles WebAssembly as it is loaded, which the page's policy forbids.
    rollupOptions: { treeshake: { moduleSideEffects: (id) => !/[\\/](hyparquet-compressors|hysnappy)[\\/]/.test(id) } },
  },
  server: { proxy: { "/_clary": { target: clary, changeOrigin: false } } },
});
