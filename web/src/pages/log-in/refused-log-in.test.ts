import { expect, it } from "vitest";
import { errorRegistry } from "../../../../src/errors/registry.ts";
import { REFUSALS, refusedLogIn } from "./refused-log-in.ts";

it("says of every code what the registry says", () => {
  const said = Object.entries(errorRegistry).filter(([code]) => Object.hasOwn(REFUSALS, code));
  expect(Object.fromEntries(said.map(([code, { summary: title, remedy }]) => [code, { title, remedy }]))).toEqual(
    REFUSALS,
  );
});

it("shows a code alone, whatever an address says", () => {
  expect(refusedLogIn("?log-in=OIDC_USER_UNMAPPED")).toMatchObject({ code: "OIDC_USER_UNMAPPED" });
  expect(refusedLogIn("?log-in=STORE_FULL")?.message).toBe("The log-in failed.");
  for (const search of ["", "?log-in=", "?log-in=%3Cscript%3E", "?other=OIDC_USER_UNMAPPED", "?log-in=a"])
    expect(refusedLogIn(search)).toBeUndefined();
});
