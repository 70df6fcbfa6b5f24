// What went wrong with a request, in one shape: the server's RFC 9457 answer, or that none came.

import type { Problem } from '../api/http';

export class ApiError extends Error {
  override readonly name = 'ApiError';
  /** Stable code of the contract, or `offline` when no answer came. Screens translate `error-<code>`. */
  readonly code: string;
  /** HTTP status; 0 when no answer came. */
  readonly status: number;
  /** Seconds to wait before trying again, when the server said so. */
  readonly retryAfter: number | undefined;
  /** Code per field, by the field's path: `user_name`, `doors/0/output`. */
  readonly fields: ReadonlyMap<string, string>;
  /** What the server has now, when somebody else changed it first (409 `conflict`). */
  readonly current: unknown;

  constructor(error: {
    code: string;
    status: number;
    title?: string;
    retryAfter?: number | undefined;
    fields?: ReadonlyMap<string, string>;
    current?: unknown;
  }) {
    super(error.title ?? error.code);
    this.code = error.code;
    this.status = error.status;
    this.retryAfter = error.retryAfter;
    this.fields = error.fields ?? new Map();
    this.current = error.current;
  }

  get offline(): boolean {
    return this.status === 0;
  }
}

/** A JSON pointer (RFC 6901), bare or as a URI fragment, as a field's path. */
export function fieldOf(pointer: string): string {
  return pointer
    .replace(/^#/, '')
    .replace(/^\//, '')
    .split('/')
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .join('/');
}

const isProblem = (body: unknown): body is Problem =>
  typeof body === 'object' && body !== null && typeof (body as Problem).code === 'string';

/** Seconds of a `Retry-After`, which may also be a date. */
function seconds(header: string | null, now: number): number | undefined {
  if (header === null) return undefined;
  const given = /^\d+$/.test(header) ? Number(header) : (Date.parse(header) - now) / 1000;
  return Number.isFinite(given) && given > 0 ? Math.ceil(given) : undefined;
}

export function fromAnswer(
  answer: { status: number; headers: Headers },
  body: unknown,
  now = Date.now()
): ApiError {
  const { status } = answer;
  const retryAfter = seconds(answer.headers.get('retry-after'), now);
  // A proxy in between answers with a page of its own: no code then.
  if (!isProblem(body)) return new ApiError({ code: status >= 502 ? 'unavailable' : 'unknown', status, retryAfter });
  const fields = new Map<string, string>();
  for (const error of body.errors ?? []) {
    const field = fieldOf(error.pointer);
    // The first error of a field is the one to mend first.
    if (!fields.has(field)) fields.set(field, error.code);
  }
  return new ApiError({ code: body.code, status, title: body.title, retryAfter, fields, current: 'current' in body ? body.current : undefined });
}

export const noAnswer = () => new ApiError({ code: 'offline', status: 0 });
