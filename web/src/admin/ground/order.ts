// How names are sorted: å after z, whatever language the page is in, as the server sorts them.

import { locale, tags } from '../../lib/i18n';

export const byName = (): Intl.Collator => new Intl.Collator(locale() === 'en' ? 'nb' : tags(), { numeric: true });
