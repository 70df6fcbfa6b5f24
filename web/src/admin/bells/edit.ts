// What an administrator makes of a button, and what its panel will show of it.

import type { Bell, BellChange, BellKind, BellListing } from '../../api/http';
import type { Directory, DirectoryBell } from '../../api/wire';

/** The form's values. */
export type Edit = {
  label: string;
  alias: string;
  kind: string;
  members: string[];
  listing: string;
  dial_code: string;
  hidden: boolean;
};

export const editOf = (bell: Bell): Edit => ({
  label: bell.label,
  alias: bell.alias ?? '',
  kind: bell.kind,
  members: [...bell.people],
  listing: bell.listing,
  dial_code: bell.dial_code ?? '',
  hidden: bell.hidden
});

export const changeOf = (edit: Edit): Omit<BellChange, 'version'> => ({
  ...edit,
  kind: edit.kind as BellKind,
  listing: edit.listing as BellListing
});

/** Where the button hangs. */
export interface Place {
  unit: string;
  entrance: string;
  /** What members are called. */
  names: ReadonlyMap<string, string>;
  removed: boolean;
}

/** What the panel will show, before it is saved. */
export function previewOf(directory: Directory, bell: string, edit: Edit, place: Place): Directory {
  const others = directory.bells.filter((one) => one.bell !== bell);
  const off = edit.hidden || place.removed;
  const dials = directory.dials === true || (!off && edit.listing === 'dial_only');
  if (off || edit.listing === 'dial_only') return { ...directory, dials, bells: others };
  const at = directory.bells.findIndex((one) => one.bell === bell);
  const picture = directory.bells[at]?.picture;
  const shown: DirectoryBell = {
    bell,
    label: edit.label.trim() || '…',
    unit: place.unit,
    entrance: place.entrance,
    ...(edit.alias.trim() !== '' && { alias: edit.alias.trim() }),
    ...(picture && { picture }),
    search_only: edit.listing === 'search_only',
    kind: edit.kind as BellKind,
    members: edit.kind === 'family' ? edit.members.map((member) => ({ member, label: place.names.get(member) ?? '…' })) : []
  };
  return { ...directory, dials, bells: at < 0 ? [...others, shown] : directory.bells.with(at, shown) };
}

/** A list with one of its things at another place. */
export function moved<T>(list: readonly T[], from: number, to: number): T[] {
  const rest = list.toSpliced(from, 1);
  const thing = list[from];
  return thing === undefined ? [...list] : rest.toSpliced(Math.max(0, Math.min(to, rest.length)), 0, thing);
}
