// Serves the built page with a made-up back office behind it. REACH_WEB_ROOT names the built page (default: where
// `npm run build` puts it). As a program: node mock-server.mjs SCENE [PORT].
import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { dirname, extname, join, normalize } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { mock } from "../../clients/wallboard/web/fixtures/mock.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const built = process.env.REACH_WEB_ROOT ?? join(here, "../../clients/wallboard/web/dist");
const types = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".woff2": "font/woff2" };

/// Resolves to { address, close } once it listens.
export async function serveScene(scene, { port = 0, ...options } = {}) {
  const answer = mock(scene, options);
  const server = createServer(async (request, response) => {
    if (answer(request, response)) return;
    const path = normalize(new URL(request.url, "http://mock").pathname);
    const file = path === "/" || path === "/supervisor" ? "index.html" : path;
    try {
      const content = await readFile(join(built, file));
      response.writeHead(200, { "content-type": types[extname(file)] ?? "application/octet-stream" });
      response.end(content);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((ready) => server.listen(port, "127.0.0.1", ready));
  return {
    address: `http://127.0.0.1:${server.address().port}`,
    close: () => new Promise((done) => (server.close(done), server.closeAllConnections?.())),
  };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const { address } = await serveScene(process.argv[2] ?? "busy", { port: Number(process.argv[3] ?? 0) });
  console.log(address);
}
