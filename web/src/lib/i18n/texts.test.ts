import { beforeEach, describe, expect, it } from 'vitest';
import { locale, negotiate, setLocale, startTexts, t } from './texts.svelte';

describe('texts', () => {
  beforeEach(() => localStorage.clear());

  it('chooses the first language that there are texts for', () => {
    expect(negotiate(['fi-FI', 'sv-FI', 'en'])).toBe('sv');
    expect(negotiate(['no'])).toBe('nb');
    expect(negotiate(['nn-NO', 'en'])).toBe('nn');
    expect(negotiate(['da-DK', 'sv'])).toBe('da');
    expect(negotiate(['pl'])).toBe('en');
  });

  it('remembers a locale for this device, but not one that a visitor borrows', async () => {
    await setLocale('sv');
    await setLocale('en', { remember: false });
    expect(t('common-cancel')).toBe('Cancel');
    await startTexts();
    expect(locale()).toBe('sv');
    expect(t('common-cancel')).toBe('Avbryt');
    expect(document.documentElement.lang).toBe('sv');
  });

  it('puts values in, and shows a missing key as itself', async () => {
    await setLocale('en');
    expect(t('door-open-for', { seconds: 5 })).toBe('Open 5 s');
    expect(t('nothing-here')).toBe('nothing-here');
  });
});
