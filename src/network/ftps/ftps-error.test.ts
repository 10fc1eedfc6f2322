import { FTPError } from "basic-ftp";
import { expect, it } from "vitest";
import { GatewayError } from "../../errors/gateway-error.ts";
import { ftpsError } from "./ftps-error.ts";

const SECRET = "trial/2.25.1.zip";

it.each([
  [421, "FTPS_BUSY"],
  [426, "FTPS_UNAVAILABLE"],
  [430, "FTPS_LOGIN_REFUSED"],
  [450, "FTPS_BUSY"],
  [452, "DESTINATION_FULL"],
  [504, "FTPS_TLS_NOT_OFFERED"],
  [530, "FTPS_LOGIN_REFUSED"],
  [534, "FTPS_TLS_NOT_OFFERED"],
  [550, "FTPS_REFUSED"],
  [552, "DESTINATION_FULL"],
])("reply %i is %s, and its text stays behind", (reply, code) => {
  const error = ftpsError(new FTPError({ code: reply, message: `${reply} ${SECRET}` }));
  expect(error).toMatchObject({ code, details: { reply } });
  expect(JSON.stringify(error.toJSON())).not.toContain(SECRET);
});

it.each([
  ["ECONNRESET", "FTPS_UNAVAILABLE"],
  ["EPIPE", "FTPS_UNAVAILABLE"],
  ["ENOTFOUND", "FTPS_UNAVAILABLE"],
  ["CERT_HAS_EXPIRED", "TLS_CERTIFICATE_INVALID"],
  ["ERR_TLS_CERT_ALTNAME_INVALID", "TLS_CERTIFICATE_NAME_WRONG"],
])("%s is %s, whenever it comes", (cause, code) => {
  expect(ftpsError(Object.assign(new Error(SECRET), { code: cause }))).toMatchObject({ code, details: { cause } });
});

it("leaves what has a code already as it is, and takes silence for absence", () => {
  const known = new GatewayError("DELIVERY_FILE_CHANGED");
  expect(ftpsError(known)).toBe(known);
  expect(ftpsError(new Error("Timeout (data socket)"))).toMatchObject({ code: "FTPS_UNAVAILABLE" });
});
