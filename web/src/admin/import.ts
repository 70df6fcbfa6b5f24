// What the columns of a list can be, and what its rows are looked at by.

import type { ImportColumn, ImportStatus } from '../api/http';
import { t } from '../lib/i18n';

export const COLUMNS: readonly ImportColumn[] = [
  'ignored', 'name', 'first_name', 'last_name', 'email', 'phone', 'unit', 'entrance', 'owner', 'language'
];

export const columnWords = (column: ImportColumn) => t(`admin-import-column-${column.replace('_', '-')}`);

/** Rows in one state, or all. */
export type Filter = ImportStatus | '';
export const FILTERS: readonly Filter[] = ['', 'error', 'new', 'changed', 'same', 'left_out'];
