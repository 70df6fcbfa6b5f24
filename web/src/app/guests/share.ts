// Hands a pass on: by the device's own share sheet, or else by copying its link.

export type Shared = 'shared' | 'left' | 'copied' | 'failed';

export const sheet = (): boolean => typeof navigator.share === 'function';

/** `title` and `text` go with the link; nothing leaves the device unless the person chooses where. */
export async function share(link: string, title: string, text: string): Promise<Shared> {
  if (!sheet()) return copy(link);
  try {
    await navigator.share({ title, text, url: link });
    return 'shared';
  } catch (error) {
    // the person closed it, or the browser wants a touch of its own for it
    if (error instanceof DOMException && ['AbortError', 'NotAllowedError'].includes(error.name)) return 'left';
    return copy(link);
  }
}

export async function copy(link: string): Promise<Shared> {
  try {
    await navigator.clipboard.writeText(link);
    return 'copied';
  } catch {
    return 'failed';
  }
}
