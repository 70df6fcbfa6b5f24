// The state of a form: its values, what is wrong with them by the server's answer, and whether they were changed.
//
//   const form = useForm({
//     initial: { name: '', email: '' },
//     submit: (values) => api.addPerson(values),
//     ondone: (person) => …
//   });
//   <form id="…" onsubmit={form.submit}>
//     <FormErrors {form} />
//     <TextField name="name" label=… bind:value={form.values.name} error={form.error('name')} />
//     <SelectField name="language" … />
//   </form>
//   <Button type="submit" form="…" busy={form.busy}>
//
// A field's `name` is its path in the request (`homes/0/unit`), so that an error's JSON pointer finds it. After a 409
// `form.conflict` holds what the server has now: show `Conflict` with it.

import { tick } from 'svelte';
import { ApiError } from '../../lib/api-problem';
import { fieldWords, wordsOfError } from '../../lib/api-words';

export interface FormOptions<Values, Answer> {
  initial: Values;
  submit: (values: Values) => Promise<Answer>;
  ondone?: (answer: Answer) => void | Promise<void>;
  /** What is wrong with each field, by its path, where the general words would not help. */
  words?: (failure: unknown) => Record<string, string>;
}

/** One entry of the summary above a form. */
export interface FieldError {
  /** The field's path and name. */
  field: string;
  label: string;
  words: string;
}

export class FormState<Values extends Record<string, unknown>, Answer = unknown> {
  values = $state() as Values;
  busy = $state(false);
  /** What the server answered, while it stands. */
  failure = $state.raw<unknown>();
  /** What the server has now, after somebody else changed it first. */
  conflict = $state.raw<unknown>();
  /** Errors whose field is in the form, by their label: the summary. */
  summary = $state.raw<FieldError[]>([]);
  /** Goes up with each refused submit: the summary takes the focus then. */
  refused = $state(0);
  #initial = $state.raw() as Values;
  #options: FormOptions<Values, Answer>;

  constructor(options: FormOptions<Values, Answer>) {
    this.#options = options;
    this.#initial = structuredClone(options.initial);
    this.values = structuredClone(options.initial);
  }

  /** Whether anything differs from what it began with. */
  get dirty(): boolean {
    return JSON.stringify(this.values) !== JSON.stringify(this.#initial);
  }

  get initial(): Values {
    return this.#initial;
  }

  /** Only what was changed: the body of a PATCH. */
  get changed(): Partial<Values> {
    const now = $state.snapshot(this.values) as Values;
    return Object.fromEntries(
      Object.entries(now).filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(this.#initial[name])),
    ) as Partial<Values>;
  }

  /** What is wrong with all of it, when no field of the form is to blame. */
  get words(): string | undefined {
    return this.failure && this.conflict === undefined && this.summary.length === 0 ? wordsOfError(this.failure) : undefined;
  }

  /** What is wrong with one field, by its path. */
  error(field: string): string | undefined {
    return this.#wordsOf(this.failure)[field];
  }

  #wordsOf(failure: unknown): Record<string, string> {
    return (this.#options.words ?? fieldWords)(failure);
  }

  /** Begins anew, with other values if some are given. */
  reset(values: Values = this.#initial): void {
    this.#initial = structuredClone($state.snapshot(values) as Values);
    this.values = structuredClone(this.#initial);
    this.settle();
  }

  /** Forgets what went wrong. */
  settle(): void {
    [this.failure, this.conflict, this.summary] = [undefined, undefined, []];
  }

  /** For the form's `onsubmit`. */
  submit = async (event?: SubmitEvent): Promise<void> => {
    event?.preventDefault();
    if (this.busy) return;
    const form = event?.currentTarget instanceof HTMLFormElement ? event.currentTarget : undefined;
    this.busy = true;
    this.settle();
    try {
      const answer = await this.#options.submit($state.snapshot(this.values) as Values);
      await this.#options.ondone?.(answer);
    } catch (failure) {
      this.failure = failure;
      if (failure instanceof ApiError && failure.status === 409 && failure.current !== undefined) this.conflict = failure.current;
      this.summary = Object.entries(this.#wordsOf(failure)).flatMap(([field, words]) => {
        const input = inputOf(form, field);
        return input ? [{ field, words, label: labelOf(input) }] : [];
      });
      await tick();
      this.refused += 1;
    } finally {
      this.busy = false;
    }
  };
}

export const useForm = <Values extends Record<string, unknown>, Answer = unknown>(options: FormOptions<Values, Answer>) =>
  new FormState(options);

/** The control of a field, the first of several with the same name. */
export function inputOf(form: HTMLFormElement | null | undefined, field: string): HTMLElement | undefined {
  const found = form?.elements.namedItem(field);
  if (found instanceof RadioNodeList) return found[0] instanceof HTMLElement ? found[0] : undefined;
  return found instanceof HTMLElement ? found : undefined;
}

function labelOf(input: HTMLElement): string {
  const labels = 'labels' in input ? (input.labels as NodeListOf<HTMLLabelElement> | null) : null;
  const text = input.closest('fieldset')?.querySelector('legend') ?? labels?.[0];
  return ((labels?.[0] ?? text)?.textContent ?? input.getAttribute('aria-label') ?? '').trim();
}
