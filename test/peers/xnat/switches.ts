/** What this XNAT is like, and what goes wrong. Tests turn them while it runs. */
export interface XnatSwitches {
  /** From 1.8.6 a scan that exists with another type answers 409. */
  version: string;
  dqrVersion: string;
  /** Names of files carry MD5 sums. */
  digests: boolean;
  /** False: a file's PUT answers 200 and nothing is written. */
  mayWrite: boolean;
  accountLocked: boolean;
  /** False: anybody may read. */
  requireLogin: boolean;
  /** False: every request is sent to the set-up page. */
  isInitialised: boolean;
  /** False on 1.10: creating a project answers 500 though it is made. */
  hasSiteUrl: boolean;
  checksCsrf: boolean;
  /** The date that answers carry is off by so much. */
  clockSkewMs: number;
  /** Every answer waits so long. */
  delayMs: number;
  /** Requests whose connection is cut before an answer. */
  drops: (method: string, path: string) => boolean;
  /** A query without matches: 204, or an empty list. */
  noMatches: "204" | "list";
  /** The PACS compares without case. */
  foldsCase: boolean;
  /** Attributes the PACS leaves blank; blank ones are not in the JSON. */
  blankAttributes: ReadonlySet<string>;
  /** The PACS gives no instance counts. */
  countsInstances: boolean;
  /** Studies whose series the PACS does not list. */
  withoutSeries: ReadonlySet<string>;
  pacsAnswers: boolean;
  /** So many C-MOVEs fail before one succeeds. */
  failingMoves: number;
  /** C-MOVE says success and nothing comes. */
  issuedForever: boolean;
  /** `prearchive`: moved there with ERROR, its row deleted; `stays`: the move fails too. */
  directArchiveFailure: "none" | "prearchive" | "stays";
  /** The receiver leaves sessions in the prearchive with this status. */
  prearchiveStatus: "none" | "CONFLICT" | "ERROR" | "READY" | "RECEIVING";
  /** Archived sessions whose catalogue names one file that is not on the disk. */
  emptyShells: boolean;
  /** So many objects of a study never arrive. */
  lostObjects: number;
  /** So many objects of a study arrive when it is archived already, and stay behind in the prearchive. */
  lateObjects: number;
  /** The import service answers and keeps nothing. */
  forgetsImports: boolean;
  /** The site's script changes whatever is imported, unless the import says that it may not. */
  anonymises: boolean;
  /** The file meta information of what is imported is written anew, as XNAT does. */
  rewritesMeta: boolean;
  /** Session types that were never given security are left out of a project's own listing. */
  hidesDx: boolean;
  /** Projects see their own prearchive only. */
  hasAllDataAccess: boolean;
}

export function usualSwitches(): XnatSwitches {
  return {
    version: "1.9.2",
    dqrVersion: "2.4.0",
    digests: true,
    mayWrite: true,
    accountLocked: false,
    requireLogin: true,
    isInitialised: true,
    hasSiteUrl: true,
    checksCsrf: true,
    clockSkewMs: 0,
    delayMs: 0,
    drops: () => false,
    noMatches: "204",
    foldsCase: false,
    blankAttributes: new Set(),
    countsInstances: true,
    withoutSeries: new Set(),
    pacsAnswers: true,
    failingMoves: 0,
    issuedForever: false,
    directArchiveFailure: "none",
    prearchiveStatus: "none",
    emptyShells: false,
    lostObjects: 0,
    lateObjects: 0,
    forgetsImports: false,
    anonymises: false,
    rewritesMeta: true,
    hidesDx: true,
    hasAllDataAccess: true,
  };
}
