import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, gzip } from 'node:zlib';
import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin } from 'vite';

const OUT = join(import.meta.dirname, 'dist');

/** Compresses what was built, once: the api sends these files as they are. */
const compressed: Plugin = {
  name: 'compressed',
  apply: 'build',
  async closeBundle() {
    const files = await readdir(OUT, { recursive: true });
    const texts = files.filter((file) => /\.(js|css|html|svg)$/.test(file)).map((file) => join(OUT, file));
    for (const file of texts) {
      const content = await readFile(file);
      await writeFile(`${file}.br`, await promisify(brotliCompress)(content));
      await writeFile(`${file}.gz`, await promisify(gzip)(content, { level: 9 }));
    }
  },
};

export default defineConfig({
  plugins: [react(), compressed],
  build: {
    outDir: OUT,
    emptyOutDir: true,
    // The Content-Security-Policy allows nothing inline.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: {
    // Everything that is not the page's own source comes from the api.
    proxy: Object.fromEntries(
      ['/api', '/docs', '/metrics', '/healthz', '/readyz'].map((path) => [
        path,
        { target: process.env['API_URL'] ?? 'http://127.0.0.1:3000' },
      ]),
    ),
  },
});
