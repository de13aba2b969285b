import { defineConfig, type Plugin } from "vite";
import { mock } from "./fixtures/mock.mjs";

// `npm run dev` needs no daemon: it answers /api from the fixtures (SCENE=quiet|busy|breached|stale|many…), or from a
// running gateway with GATEWAY=http://127.0.0.1:8570.
const gateway = process.env["GATEWAY"];
const scenes: Plugin = {
  name: "scenes",
  configureServer(server) {
    if (gateway) return;
    const answer = mock(process.env["SCENE"] ?? "busy");
    server.middlewares.use((request, response, next) => {
      if (!answer(request, response)) next();
    });
  },
};

export default defineConfig({
  plugins: [scenes],
  esbuild: { jsx: "automatic", jsxImportSource: "preact" },
  server: gateway ? { proxy: { "/api": gateway } } : {},
  build: {
    target: "es2021",
    assetsInlineLimit: 0, // no data: addresses; the policy allows files of our own only
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 300,
  },
  test: { include: ["test/**/*.test.ts"] },
} as Parameters<typeof defineConfig>[0]);
