import { type Authentication, noAuthentication } from "../../network/http-client/authentication.ts";
import { openHttpClient } from "../../network/http-client/http-client.ts";
import type { HttpClientOptions } from "../../network/http-client/types.ts";
import { DicomTrolleyError } from "../../network/ihe/errors.ts";

export interface VitreaSessionOptions {
  readonly loginUrl: string;
  readonly user: string;
  /** Read at every login. */
  readonly password: () => Promise<string>;
  /** @default DefaultSystemRealm */
  readonly realm?: string | undefined;
  readonly tls?: HttpClientOptions["tls"];
}

/** Logs in to Vitrea Connection, and again when its session is over; what counts afterwards is its cookie. */
export function vitreaSession({ loginUrl, user, password, realm, tls }: VitreaSessionOptions): Authentication {
  return {
    async logIn(signal) {
      await using client = openHttpClient({ baseUrl: loginUrl, authentication: noAuthentication, tls });
      await using response = await client.request({
        method: "POST",
        headers: {
          "x-userid": user,
          "x-password": await password(),
          "x-realm": realm ?? "DefaultSystemRealm",
        },
        signal,
      });
      const cookie = cookiesOf(response.headers.get("set-cookie") ?? "");
      if (cookie === "") throw new DicomTrolleyError("HTTP_UNAUTHORISED", { what: "no session cookie" });
      return { cookie };
    },
  };
}

/** Names and values alone. A comma in a date is not followed by a name and an equals sign. RFC 6265 4.1. */
function cookiesOf(header: string): string {
  return header
    .split(/,(?=\s*[^\s;,=]+=)/)
    .map((cookie) => cookie.split(";", 1)[0]?.trim() ?? "")
    .filter((pair) => pair !== "")
    .join("; ");
}
