import { z } from "zod";
import { HttpError as TransportError } from "../../network/http-client/http-error.ts";
import { xnatPath } from "../../network/rest/xnat/paths.ts";
import type { Random } from "../../units/random.ts";
import type { Envelopes } from "./envelope.ts";
import { HttpError, internalError, notFound } from "./errors.ts";
import { plainEmail } from "./hygiene.ts";
import { unexpectedStatus, type Xnat } from "./xnat.ts";
import { textOrEmpty } from "./xnat-answer.ts";

const optionalTime = z
  .int()
  .nullish()
  .transform((value) => value ?? null);

/** XNAT leaves out what a user never had: a change, a login. */
export const user = z.object({
  lastModified: optionalTime,
  username: z.string(),
  enabled: z.boolean(),
  id: z.int(),
  secured: z.boolean().default(false),
  email: textOrEmpty.transform(plainEmail),
  verified: z.boolean().default(false),
  firstName: textOrEmpty,
  lastName: textOrEmpty,
  lastSuccessfulLogin: optionalTime,
});
export type XnatUser = z.infer<typeof user>;

export interface NewUser {
  readonly username: string;
  readonly password: string;
  readonly email: string;
  readonly firstName: string;
  readonly lastName: string;
  readonly enabled: boolean;
}

/** A way for somebody new to set a password, sealed for the hub. */
export interface CreatedUser {
  readonly username: string;
  readonly encrypted_setup_path: string;
  /** The same path again, for older hubs: they read this field, and ignore the project without it. It never holds a password. */
  readonly encrypted_password: string;
  readonly email: string;
}

export async function listUsers(xnat: Xnat, signal: AbortSignal): Promise<readonly XnatUser[]> {
  return parsedUsers(await xnat.json({ path: "xapi/users/profiles", signal }));
}

function parsedUsers(answer: unknown): readonly XnatUser[] {
  const users = z.array(user).safeParse(answer);
  if (!users.success) throw new TransportError("HTTP_JSON_INVALID", { what: "shape" });
  return users.data;
}

/** @throws HttpError 404 */
export async function findUser(
  xnat: Xnat,
  key: "email" | "username",
  value: string,
  signal: AbortSignal,
): Promise<XnatUser> {
  const found = (await listUsers(xnat, signal)).find((each) => each[key] === value);
  if (found === undefined) throw notFound(`User not found by ${key}`);
  return found;
}

/** @throws HttpError 500 when XNAT refuses or has a user of that name */
export async function createUser(xnat: Xnat, wanted: NewUser, signal: AbortSignal): Promise<XnatUser> {
  const { status } = await xnat.ask({ method: "POST", path: "xapi/users", json: wanted, signal });
  if (status !== 201) throw internalError(unexpectedStatus(status));
  return await findUser(xnat, "username", wanted.username, signal);
}

/** @throws HttpError 404, or XNAT's own status with its own words */
export async function updateUser(
  xnat: Xnat,
  { email, enabled }: { readonly email: string; readonly enabled: boolean },
  signal: AbortSignal,
): Promise<XnatUser> {
  const found = await findUser(xnat, "email", email, signal);
  const path = xnatPath("xapi", "users", found.username);
  const { status, text } = await xnat.ask({ method: "PUT", path, json: { email, enabled }, signal });
  if (status === 404) throw new HttpError(404, `User '${found.username}' not found`);
  if (status === 304) return found;
  if (status !== 200) throw new HttpError(status, text);
  return parsedUsers([parsedJson(text)])[0] ?? found;
}

/** @throws HttpError 404; GatewayError of the exchange */
export async function addMember(
  xnat: Xnat,
  { username }: Pick<XnatUser, "username">,
  projectId: string,
  signal: AbortSignal,
): Promise<void> {
  const path = xnatPath("data", "projects", projectId, "users", "Members", username);
  const { status } = await xnat.ask({ method: "PUT", path, signal });
  if (status !== 200) throw unexpectedStatus(status);
}

export interface HubUser {
  readonly email: string;
  readonly is_disabled: boolean;
}

/**
 * Makes the users of a hub's project members of the XNAT project. Who is new there, or never logged in, is invited: to set a password where
 * XNAT is.
 */
export async function addHubUsers(
  {
    xnat,
    envelopes,
    random,
    signal,
  }: { readonly xnat: Xnat; readonly envelopes: Envelopes; readonly random: Random; readonly signal: AbortSignal },
  users: readonly HubUser[],
  projectId: string,
): Promise<{ readonly created: readonly CreatedUser[]; readonly added: readonly XnatUser[] }> {
  const created: CreatedUser[] = [];
  const added: XnatUser[] = [];
  const wanted = users.filter(({ is_disabled }) => !is_disabled);
  if (wanted.length === 0) return { created, added };
  const known = [...(await listUsers(xnat, signal))];
  for (const { email } of wanted) {
    const existing = known.find((each) => each.email === email);
    const profile = existing ?? (await createUser(xnat, newUser(email, known, random), signal));
    if (existing === undefined) known.push(profile);
    const isInvited = profile.lastSuccessfulLogin === null;
    if (isInvited) {
      const path = await setupPath(xnat, profile.username, signal);
      const encrypted_setup_path = envelopes.seal(path, "xnat_setup_path");
      const encrypted_password = envelopes.seal(path, "xnat_password");
      created.push({ username: profile.username, encrypted_setup_path, encrypted_password, email: profile.email });
    }
    await addMember(xnat, profile, projectId, signal);
    if (!isInvited || existing === undefined) added.push(profile);
  }
  return { created, added };
}

/** Named by the part before the @, without characters that XNAT does not allow in names, and with a number when the name is taken. */
function newUser(email: string, known: readonly XnatUser[], random: Random): NewUser {
  const stem = (email.split("@", 1)[0] ?? "").replaceAll(/[^a-zA-Z0-9 -]/g, "");
  const taken = new Set(known.map(({ username }) => username));
  let username = stem;
  for (let suffix = 1; taken.has(username) && suffix <= taken.size + 1; suffix += 1) username = `${stem}${suffix}`;
  // Nobody is told it: by the invitation a user sets another one. The suffix has every kind of character that a policy may ask for.
  const password = `${Buffer.from(random.bytes(24)).toString("base64url")}aA1!`;
  return { username, password, email, firstName: username, lastName: username, enabled: true };
}

const token = z.object({ alias: z.string(), secret: z.string() });

/** Without a host: people reach XNAT by an address that the gateway does not know. */
async function setupPath(xnat: Xnat, username: string, signal: AbortSignal): Promise<string> {
  const path = xnatPath("data", "services", "tokens", "issue", "user", username);
  const issued = token.safeParse(await xnat.json({ path, signal }));
  if (!issued.success) throw new TransportError("HTTP_JSON_INVALID", { what: "token" });
  const { alias, secret } = issued.data;
  return `/app/template/XDATScreen_UpdateUser.vm?a=${encodeURIComponent(alias)}&s=${encodeURIComponent(secret)}`;
}

function parsedJson(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch {
    return undefined;
  }
}
