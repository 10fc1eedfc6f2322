/**
 * Whether a text is what a key with wildcards asks for: `*` stands for any number of characters, `?` for one. PS3.4 C.2.2.2.4. Only the last `*` is
 * ever gone back to, so that no key and no text takes longer than the product of their lengths.
 */
export function matchesWildcards(pattern: string, text: string): boolean {
  let at = 0;
  let key = 0;
  let star = -1;
  let startOfRest = 0;
  while (at < text.length) {
    const wanted = pattern[key];
    if (wanted === "*") {
      star = key;
      startOfRest = at;
      key += 1;
    } else if (wanted === "?" || wanted === text[at]) {
      key += 1;
      at += 1;
    } else if (star === -1) return false;
    else {
      startOfRest += 1;
      at = startOfRest;
      key = star + 1;
    }
  }
  while (pattern[key] === "*") key += 1;
  return key === pattern.length;
}
