/** What is wrong with a message that breaks the protocol: texts of our own, which logs may show. PS3.7 6.3, 9.3. */
export const PROBLEMS = [
  "a command before the data set has ended",
  "a data set where none may be",
  "a data set without a command",
  "a message changes its presentation context",
  "a pending answer without identifier",
  "a request before the one before is answered",
  "a request without command field",
  "a request without message id",
  "an answer of another service than the request",
  "an answer to no request",
  "an answer without status",
  "command element US is not of 2 bytes",
  "command element reaches past the end",
  "command set has a group other than 0000",
  "command set has no command field",
  "command set is cut short",
  "command set is in too many pieces",
  "command set is too long",
  "identifier is too long",
  "no data set where one is required",
] as const;

export type Problem = (typeof PROBLEMS)[number];
