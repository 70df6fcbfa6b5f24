// Texts as people look for them: nobody has to know how a name is spelt. The server folds in the same way.

/** Letters that Unicode does not take apart into a base letter and a mark. */
const LETTERS: Readonly<Record<string, string>> = {
  æ: 'ae', ø: 'o', đ: 'd', ð: 'd', þ: 'th', ŋ: 'n', ŧ: 't', ł: 'l', ß: 'ss', œ: 'oe', ı: 'i',
};

/** Lower case, without marks. */
export function fold(text: string): string {
  return text
    .toLowerCase()
    .replace(/[æøđðþŋŧłßœı]/g, (letter) => LETTERS[letter] ?? letter)
    .normalize('NFD')
    .replace(/\p{M}/gu, '');
}

/** The words of a folded text. */
export function words(folded: string): string[] {
  return folded.split(/[^\p{L}\p{N}]+/u).filter((word) => word !== '');
}
