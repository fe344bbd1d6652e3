import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// Where `./dev studio --watch` finds the Clary whose API the pages speak.
const clary = process.env.CLARY_URL ?? "http://127.0.0.1:7788";

export default defineConfig({
  plugins: [react()],
  // The page says where it lives (<base href>), so that Studio works below any path.
  base: "./",
  build: {
    outDir: "../static",
    emptyOutDir: true,
    assetsDir: "assets",
    chunkSizeWarningLimit: 900,
    modulePreload: { polyfill: false },
  },
  server: { proxy: { "/_clary": { target: clary, changeOrigin: false } } },
});
