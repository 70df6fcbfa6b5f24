/// <reference types="vitest/config" />
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { defineConfig, type Plugin, type Rolldown } from 'vite';

const SURFACES = ['panel', 'app', 'admin', 'guest'] as const;
type Surface = (typeof SURFACES)[number];

/** Most kilobytes (1,000 bytes, gzip) of script that a surface may need to start, with its texts. */
const BUDGET: Record<Surface, number> = { panel: 45, app: 75, admin: 130, guest: 45 };

/**
 * Each surface is built by itself (`--mode panel`): sharing chunks with the others would make it load what only they need,
 * and hardly a browser loads two of them. Without a mode: the app, into an empty folder.
 */
function built(mode: string): Surface {
  return SURFACES.find((surface) => surface === mode) ?? 'app';
}

/**
 * Whose texts a surface shows. The administration signs in and talks of doors as the app does; whoever gives a pass reads the
 * words of the guest. The panel has no words for errors of requests: it makes none that a visitor would hear of.
 */
const TEXTS: Record<Surface, readonly string[]> = {
  panel: ['panel'],
  app: ['app', 'app alone', 'guest', 'error', 'door'],
  admin: ['admin', 'app', 'guest', 'error', 'door'],
  guest: ['guest', 'error', 'door'],
};

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

/**
 * Leaves out the sections (`## panel`) of the texts that are for surfaces not in this build, or for the server alone.
 * Those that only pages show which come later (`## admin later`) are asked for with `?raw&later`, and are alone there.
 */
function texts(surfaces: readonly string[]): Plugin {
  const known = [...SURFACES, 'app alone', 'admin later', 'error', 'door'];
  const others = ['server only', 'mail', ...known.filter((name) => !surfaces.includes(name))];
  const isOf = (section: string) => (name: string) => section.startsWith(`## ${name}\n`);
  return {
    name: 'klinke-texts',
    apply: 'build',
    enforce: 'pre',
    async load(id) {
      const [path = '', query] = id.split('?');
      if (!path.endsWith('.ftl') || (query !== 'raw' && query !== 'raw&later')) return null;
      const sections = (await readFile(path, 'utf8')).split(/^(?=## )/m);
      const kept = sections.filter((section) => (query === 'raw' ? !others.some(isOf(section)) : isOf(section)('admin later')));
      return `export default ${JSON.stringify(kept.join('').replace(/^#.*\n/gm, ''))}`;
    },
  };
}

/** Fails the build when a page needs more script than its budget. */
function budgets(): Plugin {
  return {
    name: 'klinke-budgets',
    apply: 'build',
    generateBundle(_options, bundle) {
      const size = (chunk: Rolldown.OutputChunk) => gzipSync(chunk.code).length;
      const chunk = (file: string) => {
        const found = bundle[file];
        return found?.type === 'chunk' ? found : undefined;
      };
      const needed = (file: string, seen: Set<string>): number => {
        const found = chunk(file);
        if (!found || seen.has(file)) return 0;
        seen.add(file);
        return found.imports.reduce((sum, next) => sum + needed(next, seen), size(found));
      };
      const languages = Object.values(bundle).flatMap((output) =>
        output.type === 'chunk' && output.facadeModuleId?.includes('.ftl') ? [size(output)] : [],
      );
      for (const surface of SURFACES) {
        const entry = Object.values(bundle).find((output) => output.type === 'chunk' && output.isEntry && output.name === surface);
        if (!entry) continue;
        const kilobytes = (needed(entry.fileName, new Set()) + Math.max(0, ...languages)) / 1_000;
        this.info(`${surface}: ${kilobytes.toFixed(1)} of ${BUDGET[surface]} kB`);
        if (kilobytes > BUDGET[surface]) this.error(`${surface} needs ${kilobytes.toFixed(1)} kB of script, more than ${BUDGET[surface]} kB`);
      }
    },
  };
}

export default defineConfig(({ mode }) => ({
  plugins: [svelte(), surfaces(), texts(TEXTS[built(mode)]), budgets()],
  appType: 'mpa',
  resolve: process.env.VITEST ? { conditions: ['browser'] } : {},
  build: {
    outDir: 'dist',
    emptyOutDir: built(mode) === 'app',
    // No inline script or style anywhere: the server's content security policy forbids both.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: { [built(mode)]: fileURLToPath(new URL(`./${built(mode)}.html`, import.meta.url)) },
      // What a page needs to start is one piece: cut into one for each set of pages that share it, it packs worse.
      output: { codeSplitting: { groups: [{ name: 'start', tags: ['$initial'] }] } },
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
}));
