import { dayAndMonth } from '../../panel/clock';
import { beforeEach, describe, expect, it } from 'vitest';
import { addTexts, LOCALES, locale, negotiate, setLocale, startTexts, t, tags } from './texts.svelte';

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

  it('counts and dates nynorsk as Norwegian, whatever the browser knows', async () => {
    await setLocale('nn');
    expect(new Intl.NumberFormat(tags()).format(1.5)).toBe('1,5');
    expect(dayAndMonth(new Date('2026-11-21T12:00:00'))).toBe('laurdag 21. november');
    await setLocale('en');
    expect(dayAndMonth(new Date('2026-11-21T12:00:00'))).toMatch(/^Saturday,? 21 November$/);
  });

  it('takes more texts, which follow the locale; those that do not come change nothing', async () => {
    await setLocale('en');
    await expect(addTexts({})).rejects.toThrow();
    expect(t('common-cancel')).toBe('Cancel');
    await addTexts(Object.fromEntries(Object.keys(LOCALES).map((tag) => [`../../locales/${tag}.ftl`, async () => `later-one = Later ${tag}`])));
    expect([t('later-one'), t('common-cancel')]).toEqual(['Later en', 'Cancel']);
    await setLocale('sv');
    expect([t('later-one'), t('common-cancel')]).toEqual(['Later sv', 'Avbryt']);
  });

  it('puts values in, and shows a missing key as itself', async () => {
    await setLocale('en');
    expect(t('door-open-for', { seconds: 5 })).toBe('Open 5 s');
    expect(t('nothing-here')).toBe('nothing-here');
  });
});
