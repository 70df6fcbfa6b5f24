export { ownDay } from './days';
export { LOCALES, locale, setLocale, startTexts, t, tags, type Locale } from './texts.svelte';
