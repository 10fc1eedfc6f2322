/** Headers that go with every request of a session: `authorization`, `cookie`. */
export type SessionHeaders = Readonly<Record<string, string>>;

/**
 * How we make ourselves known. `logIn` runs before the first request, and once more when the peer answers 401: once for all requests that
 * were refused meanwhile. When it gives the same headers again, nothing is tried again.
 */
export interface Authentication {
  readonly logIn: (signal: AbortSignal) => Promise<SessionHeaders>;
  /** For peers that take who has no session any more for a guest: whether these headers are worth nothing now. Asked after a 403 or 404. */
  readonly hasLapsed?: (headers: SessionHeaders, signal: AbortSignal) => Promise<boolean>;
}

export const noAuthentication: Authentication = { logIn: () => Promise.resolve({}) };

/** RFC 7617. @param password read at every login, so that a changed password holds from then on */
export function basicAuthentication(username: string, password: () => Promise<string>): Authentication {
  return {
    logIn: async () => ({
      authorization: `Basic ${Buffer.from(`${username}:${await password()}`).toString("base64")}`,
    }),
  };
}

/** RFC 6750. @param token read at every login, so that a renewed token holds from then on */
export function bearerAuthentication(token: () => Promise<string>): Authentication {
  return { logIn: async () => ({ authorization: `Bearer ${await token()}` }) };
}

/** A login with the number that tells whether somebody has logged in since. */
export interface Login {
  readonly headers: SessionHeaders;
  readonly number: number;
}

export interface Session {
  /** Logs in when nobody has yet. */
  current(): Promise<Login>;
  /** Whether what the peer refuses or hides may be there for who logs in anew. */
  hasLapsed(login: Login): Promise<boolean>;
  /** The peer refused this login: the next one, made by whoever comes first. Undefined when it would be the same again. */
  renewed(refused: Login): Promise<Login | undefined>;
}

/**
 * One login for all requests, however many ask at once: it belongs to none of them.
 * @param lifetime aborted when the session ends
 */
export function createSession({ logIn, hasLapsed }: Authentication, lifetime: AbortSignal): Session {
  let login: Login | undefined;
  let loggingIn: Promise<Login> | undefined;

  const begin = (): Promise<Login> => {
    loggingIn ??= logIn(lifetime)
      .then((headers) => {
        login = { headers, number: (login?.number ?? 0) + 1 };
        return login;
      })
      .finally(() => {
        loggingIn = undefined;
      });
    return loggingIn;
  };
  return {
    current: async () => login ?? (await begin()),
    hasLapsed: async ({ headers }) => (await hasLapsed?.(headers, lifetime)) ?? false,
    async renewed(refused) {
      const next = login !== undefined && login.number > refused.number ? login : await begin();
      return isSame(next.headers, refused.headers) ? undefined : next;
    },
  };
}

function isSame(one: SessionHeaders, other: SessionHeaders): boolean {
  const names = Object.keys(one);
  return names.length === Object.keys(other).length && names.every((name) => one[name] === other[name]);
}
