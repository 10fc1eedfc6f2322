import { send } from "./client.ts";
import { ApiProblem, type WayIn } from "./problem.ts";
import { endSession, type Session, session, wasTurnedOut, waysIn } from "./session-state.ts";

/** Asks who is logged in already. @throws ApiProblem where that is not known */
export async function resumeSession(): Promise<void> {
  try {
    const response = await send("/session");
    session.value = await sessionFrom(response);
  } catch (thrown) {
    if (!(thrown instanceof ApiProblem) || thrown.status !== 401) throw thrown;
    waysIn.value = thrown.ways;
    endSession();
  }
}

/** @throws ApiProblem API_TOKEN_INVALID, API_RATE_LIMITED */
export async function logIn(token: string): Promise<void> {
  const response = await send("/session", { method: "POST", body: { token } });
  wasTurnedOut.value = false;
  session.value = await sessionFrom(response);
}

/** @throws ApiProblem */
export async function logOut(): Promise<void> {
  await send("/session", { method: "DELETE" });
  wasTurnedOut.value = false;
  endSession();
}

/** The ways to log in are there again when it ends. */
async function sessionFrom(response: Response): Promise<Session> {
  const { ways = [], ...read }: Session & { readonly ways?: readonly WayIn[] } = await response.json();
  waysIn.value = ways;
  return read;
}
