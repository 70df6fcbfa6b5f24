export { LOCALES, locale, setLocale, startTexts, t, type Locale } from './texts.svelte';
