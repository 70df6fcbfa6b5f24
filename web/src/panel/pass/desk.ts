/**
 * A visitor who has a pass or a code, as pure functions: what was typed, what was asked, what came of it.
 *
 * Whether a door is open is not for here: that is the panel's `opening`, which only the server's news make. Invariants: one
 * question at a time; nothing is asked while the panel has to wait; a picture that stays before the camera asks once.
 */
import type { PanelEvent, PresentedPass, RequestId } from '../../api/wire';

/** The longest code, digits. */
export const LONGEST = 8;
/** The shortest, digits: less is not asked. */
export const SHORTEST = 6;
/** How long the server may take, ms. */
export const ANSWER_MS = 8_000;
/** For how long the same picture is not asked about again once it was answered, ms. */
export const SAME_MS = 6_000;
/** What the text of a pass begins with. */
const MARK = 'KLINKE:';

/** What stands on the screen beside the keys. */
export type Said = 'wrong_code' | 'wrong_pass' | 'other_code' | 'unanswered' | 'offline';

export interface Desk {
  digits: string;
  asked: { request: RequestId; kind: PresentedPass['kind']; until: number } | undefined;
  said: Said | undefined;
  /** No code is asked before this moment. */
  waitUntil: number | undefined;
  /** What the camera saw last, and until when it is not taken again. */
  seen: { text: string; until: number } | undefined;
}

export const EMPTY: Desk = { digits: '', asked: undefined, said: undefined, waitUntil: undefined, seen: undefined };

export const mayAsk = (desk: Desk, now: number): boolean => !desk.asked && (desk.waitUntil ?? 0) <= now;
export const whole = (desk: Desk): boolean => desk.digits.length >= SHORTEST;

export function type(desk: Desk, digit: string): Desk {
  if (desk.asked || desk.digits.length >= LONGEST || !/^\d$/.test(digit)) return desk;
  return { ...desk, digits: desk.digits + digit, said: undefined };
}

export function erase(desk: Desk): Desk {
  return desk.asked ? desk : { ...desk, digits: desk.digits.slice(0, -1), said: undefined };
}

/** Asks with what was typed, when it can. */
export function enter(desk: Desk, request: RequestId, now: number): [Desk, PresentedPass | undefined] {
  if (!whole(desk) || !mayAsk(desk, now)) return [desk, undefined];
  return [{ ...desk, asked: { request, kind: 'code', until: now + ANSWER_MS }, said: undefined }, { kind: 'code', digits: desk.digits }];
}

/** Asks with what the camera sees, once. */
export function see(desk: Desk, text: string, request: RequestId, now: number): [Desk, PresentedPass | undefined] {
  if (desk.asked) return [desk, undefined];
  if (desk.seen?.text === text && now < desk.seen.until) return [{ ...desk, seen: { text, until: now + SAME_MS } }, undefined];
  const seen = { text, until: now + SAME_MS };
  if (!text.startsWith(MARK)) return [{ ...desk, seen, said: 'other_code' }, undefined];
  return [{ ...desk, seen, asked: { request, kind: 'qr', until: now + ANSWER_MS }, said: undefined }, { kind: 'qr', text }];
}

/** It could not be sent. */
export const unsent = (desk: Desk): Desk => ({ ...desk, asked: undefined, said: 'offline' });

/** What the server says; what is not about this question changes nothing. */
export function hear(desk: Desk, event: PanelEvent, now: number): Desk {
  const { asked } = desk;
  if (!asked) return desk;
  if (event.type === 'pass' && event.request === asked.request) {
    // the news of the door are the panel's own; what was typed is used up
    return event.state === 'sending' ? { ...desk, asked: { ...asked, until: now + ANSWER_MS } } : answered(desk, now, { digits: '' });
  }
  if (event.type !== 'error' || event.request !== asked.request) return desk;
  if (event.code === 'slow_down') return answered(desk, now, { waitUntil: now + (event.wait_ms ?? 1_000) });
  if (event.code === 'not_found') return answered(desk, now, { digits: '', said: asked.kind === 'code' ? 'wrong_code' : 'wrong_pass' });
  return answered(desk, now, { said: 'unanswered' });
}

function answered(desk: Desk, now: number, change: Partial<Desk>): Desk {
  // the same picture is left alone for a while from the answer on, not from when it was seen
  const seen = desk.seen && { ...desk.seen, until: Math.max(desk.seen.until, now + SAME_MS) };
  return { ...desk, asked: undefined, said: undefined, seen, ...change };
}

export function tick(desk: Desk, now: number): Desk {
  if (desk.asked && desk.asked.until <= now) return answered(desk, now, { said: 'unanswered' });
  return desk.waitUntil !== undefined && desk.waitUntil <= now ? { ...desk, waitUntil: undefined } : desk;
}
