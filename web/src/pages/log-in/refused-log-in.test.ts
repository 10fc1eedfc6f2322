import { expect, it } from "vitest";
import { refusedLogIn } from "./refused-log-in.ts";

it("shows a code alone, whatever an address says", () => {
  expect(refusedLogIn("?log-in=OIDC_USER_UNMAPPED")).toMatchObject({ code: "OIDC_USER_UNMAPPED" });
  expect(refusedLogIn("?log-in=STORE_FULL")?.message).toBe("The log-in failed.");
  for (const search of ["", "?log-in=", "?log-in=%3Cscript%3E", "?other=OIDC_USER_UNMAPPED", "?log-in=a"])
    expect(refusedLogIn(search)).toBeUndefined();
});
