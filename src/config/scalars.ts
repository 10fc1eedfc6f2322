import { isIP } from "node:net";
import { z } from "zod";
import { parseWindow } from "../archive/availability/window.ts";
import { parseAeTitle, parseDicomAddress } from "../dicom/ae-title.ts";
import { sopClassUidOf, transferSyntaxUidOf } from "../dicom/dictionary/uid-names.ts";

/** The kinds of single values that settings are made of. Messages say what is expected and never repeat what was written. */

/** Names appear in folder names, logs and metrics. */
export const nameSetting = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/,
    "a name of 1 to 64 letters, digits, dots, hyphens and underscores is expected",
  );

export const textSetting = z.string().trim().min(1, "a text is expected").max(1_024, "a shorter text is expected");

/** Relative paths count from the folder of the settings file. */
export const pathSetting = textSetting.refine((path) => !path.includes("\0"), "a path is expected");

/**
 * A number alone is a port that went astray: systems would take it for an address, 11112 for 0.0.43.104. So is one behind a colon, of
 * which an IPv6 address has two.
 */
export const hostSetting = textSetting.regex(
  /^(?!\d+$)(?:[A-Za-z0-9._-]{1,253}|(?=.*:.*:)[0-9A-Fa-f:.]{2,45})$/,
  "a host name or an IP address is expected",
);

/** Of another machine. */
export const portSetting = z.int().min(1).max(65_535);

/** Names between slashes: nothing that leads upward or that a server would take for options. */
export const remoteFolderSetting = z
  .string()
  .regex(
    /^\/?[A-Za-z0-9_][A-Za-z0-9._ -]{0,99}(?:\/[A-Za-z0-9_][A-Za-z0-9._ -]{0,99}){0,19}\/?$/,
    "a folder such as incoming/images is expected",
  );

/** 0 asks the system for any free port. */
export const listenPortSetting = z.int().min(0).max(65_535);

/** URLs are shown and logged: who logs in is told elsewhere, and no client takes it from here. */
export const urlSetting = z
  .url({ protocol: /^https?$/, error: "a URL that begins with http:// or https:// is expected" })
  .refine(namesNobody, "a URL without a user and a password is expected: they have settings of their own");

/** PS3.5 6.2: letters and signs of ASCII. */
const AE_TITLE_EXPECTED =
  "an AE title of 1 to 16 ASCII characters is expected, none of them a backslash or a control character";

export const aeTitleSetting = z.string().transform((text, context) => {
  try {
    return parseAeTitle(text);
  } catch {
    context.addIssue({ code: "custom", message: AE_TITLE_EXPECTED });
    return z.NEVER;
  }
});

export const addressSetting = z.string().transform((text, context) => {
  try {
    return parseDicomAddress(text);
  } catch {
    context.addIssue({ code: "custom", message: "an address of the form AET@host:port is expected" });
    return z.NEVER;
  }
});

/** As XNAT writes a receiver. */
export const receiverSetting = z.string().transform((text, context) => {
  const [title = "", port = "", ...rest] = text.split(":");
  try {
    const aeTitle = parseAeTitle(title);
    if (/^\d{1,5}$/.test(port) && Number(port) >= 1 && Number(port) <= 65_535 && rest.length === 0)
      return { aeTitle, port: Number(port) };
  } catch {
    // Said below.
  }
  context.addIssue({ code: "custom", message: "a receiver of the form AET:port is expected" });
  return z.NEVER;
});

/** An IP address, or a network as `10.0.0.0/8`. */
export const networkSetting = z
  .string()
  .refine(isNetwork, "an IP address such as 10.0.0.5 or a network such as 10.0.0.0/8 is expected");

export const sopClassSetting = namedUid(
  sopClassUidOf,
  "a storage SOP class such as CTImageStorage, or a UID, is expected",
);

export const transferSyntaxSetting = namedUid(
  transferSyntaxUidOf,
  "a transfer syntax such as ExplicitVRLittleEndian, or its UID, is expected",
);

export const windowSetting = z
  .string()
  .refine((text) => parseWindow(text) !== undefined, 'hours such as "Mon-Fri 20:00-08:00" are expected');

export const timeZoneSetting = z.string().refine(isTimeZone, "an IANA time zone such as Europe/London is expected");

/** CS, PS3.5 6.2: what Modality (0008,0060) may hold. */
export const modalitySetting = z.string().regex(/^[A-Z0-9_]{1,16}$/, "a modality such as CT is expected");

function namedUid(uidOf: (text: string) => string | undefined, expectation: string) {
  return z.string().transform((text, context) => {
    const uid = uidOf(text);
    if (uid !== undefined) return uid;
    context.addIssue({ code: "custom", message: expectation });
    return z.NEVER;
  });
}

function namesNobody(text: string): boolean {
  const { username, password } = URL.parse(text) ?? { username: "", password: "" };
  return username === "" && password === "";
}

function isNetwork(text: string): boolean {
  // The zone of a link-local address is this machine's own affair: peers are told apart without it.
  const [address = "", prefix, ...rest] = text.includes("%") ? [] : text.split("/");
  const bits = { 0: -1, 4: 32, 6: 128 }[isIP(address)] ?? -1;
  const isPrefix = prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= bits);
  return bits > 0 && isPrefix && rest.length === 0;
}

function isTimeZone(text: string): boolean {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: text }).resolvedOptions().timeZone !== "";
  } catch {
    return false;
  }
}
