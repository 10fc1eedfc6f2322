/**
 * The function, remembering what it answered: at most `limit` answers, the oldest forgotten first.
 * @param limit how many
 */
export function remembering<Argument, Answer>(
  limit: number,
  answer: (argument: Argument) => Answer,
): (argument: Argument) => Answer {
  const known = new Map<Argument, Answer>();
  return (argument) => {
    const before = known.get(argument);
    if (before !== undefined) return before;
    const made = answer(argument);
    if (known.size >= limit) {
      for (const oldest of known.keys()) {
        known.delete(oldest);
        break;
      }
    }
    known.set(argument, made);
    return made;
  };
}
