// What the two "add a device" dialogs have in common.

import { ApiError } from '../lib/api-problem';
import { fieldWords, wordsOf, wordsOfError } from '../lib/api-words';

export interface PairingErrors {
  /** By the field's path. */
  fields: Record<string, string>;
  /** What is wrong with all of it, when no field is to blame. */
  words: string | undefined;
}

export function pairingErrors(error: unknown): PairingErrors {
  if (!error) return { fields: {}, words: undefined };
  // The server says it of the request; here it belongs to the one field where it can be mended.
  if (error instanceof ApiError && error.code === 'unknown_code') {
    return { fields: { code: wordsOf(error.code) }, words: undefined };
  }
  const fields = fieldWords(error);
  return { fields, words: Object.keys(fields).length > 0 ? undefined : wordsOfError(error) };
}

/** What to run on a new controller. */
export const pairCommand = (pairing: { address: string; authority_sha256: string }) =>
  `klinke-door pair --server ${pairing.address} --authority-sha256 ${pairing.authority_sha256} --state /var/lib/klinke-door`;

/** Outputs for the chosen doors: each keeps its own, a new one takes the lowest that is free. */
export function freeOutput(taken: Iterable<number>): number {
  const used = new Set(taken);
  let output = 0;
  while (used.has(output)) output += 1;
  return output;
}
