/** What is used of saxes: its own declarations do not pass the checks that ours are held to. */

export interface SaxesAttributeNS {
  readonly name: string;
  readonly prefix: string;
  readonly local: string;
  readonly uri: string;
  readonly value: string;
}

export interface SaxesTagNS {
  readonly name: string;
  readonly prefix: string;
  readonly local: string;
  readonly uri: string;
  readonly attributes: Readonly<Record<string, SaxesAttributeNS>>;
  readonly isSelfClosing: boolean;
}

/** A namespace-aware SAX parser. */
export class SaxesParser {
  constructor(options: { readonly xmlns: true; readonly position?: boolean });
  on(event: "text" | "cdata" | "doctype" | "comment", handler: (text: string) => void): void;
  on(event: "opentag" | "closetag", handler: (tag: SaxesTagNS) => void): void;
  on(event: "error", handler: (error: Error) => void): void;
  write(text: string): this;
  close(): this;
}
