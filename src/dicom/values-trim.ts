/** Without the characters at its end that are among these. In linear time, as a pattern like `x+$` is not. */
export function trimTrailing(text: string, characters: string): string {
  let end = text.length;
  while (end > 0 && characters.includes(text.charAt(end - 1))) end -= 1;
  return text.slice(0, end);
}

/** Without the padding of PS3.5 6.2. */
export function trimPadding(text: string): string {
  return trimTrailing(text, "\0 ");
}
