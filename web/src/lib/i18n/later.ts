// The texts of `## admin later`: what only pages show whose script comes when they are opened (`Lazy.svelte`).

import { addTexts } from './texts.svelte';

const sources = import.meta.glob<string>('../../locales/*.ftl', { query: '?raw&later', import: 'default' });
let coming: Promise<void> | undefined;

/** Waits until they are there; asked for once, and again after it failed. */
export function laterTexts(): Promise<void> {
  coming ??= addTexts(sources).catch((error: unknown) => {
    coming = undefined;
    throw error;
  });
  return coming;
}
