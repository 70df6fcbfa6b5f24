/// <reference types="vitest/config" />
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { fileURLToPath } from 'node:url';
import { defineConfig, type Plugin } from 'vite';

const SURFACES = ['panel', 'app', 'admin'] as const;

/** The server serves `/panel/…` from panel.html and so on; the development server does the same. */
function surfaces(): Plugin {
  return {
    name: 'klinke-surfaces',
    configureServer(server) {
      server.middlewares.use((request, _response, next) => {
        const [path = '', query] = (request.url ?? '').split('?');
        const surface = SURFACES.find((name) => path === `/${name}` || path.startsWith(`/${name}/`));
        if (path === '/') request.url = '/app.html';
        else if (surface) request.url = `/${surface}.html${query === undefined ? '' : `?${query}`}`;
        next();
      });
    },
  };
}

export default defineConfig({
  plugins: [svelte(), surfaces()],
  appType: 'mpa',
  resolve: process.env.VITEST ? { conditions: ['browser'] } : {},
  build: {
    outDir: 'dist',
    // No inline script or style anywhere: the server's content security policy forbids both.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: Object.fromEntries(
        SURFACES.map((name) => [name, fileURLToPath(new URL(`./${name}.html`, import.meta.url))]),
      ),
    },
  },
  server: {
    host: '127.0.0.1',
    proxy: { '/api': { target: 'http://127.0.0.1:8080', ws: true } },
  },
  test: {
    environment: 'jsdom',
    include: ['src/**/*.test.ts'],
    setupFiles: ['src/test-setup.ts'],
  },
});
