import { SaxesParser, type SaxesTagNS } from "saxes";

/** What is done with the elements of a document, by their local names. */
export interface XmlVisitor {
  open?(name: string, attribute: (name: string) => string | undefined): void;
  close?(name: string, text: string): void;
}

/** Goes through a document. Throws when it is none, or declares its type: entities could make much of little. */
export async function readXml(pieces: AsyncIterable<Uint8Array>, visitor: XmlVisitor): Promise<void> {
  const parser = new SaxesParser({ xmlns: true, position: false });
  let text = "";
  const collect = (piece: string): void => {
    text += piece;
  };
  parser.on("doctype", () => {
    throw new SyntaxError("document type");
  });
  parser.on("error", (error) => {
    throw error;
  });
  parser.on("text", collect);
  parser.on("cdata", collect);
  parser.on("opentag", (tag) => {
    text = "";
    visitor.open?.(tag.local, (name) => attributeOf(tag, name));
  });
  parser.on("closetag", (tag) => {
    visitor.close?.(tag.local, text);
    text = "";
  });
  const decoder = new TextDecoder("utf-8", { fatal: true });
  for await (const piece of pieces) parser.write(decoder.decode(piece, { stream: true }));
  parser.write(decoder.decode()).close();
}

/** By local name, whatever its prefix. */
function attributeOf({ attributes }: SaxesTagNS, name: string): string | undefined {
  return attributes[name]?.value ?? Object.values(attributes).find(({ local }) => local === name)?.value;
}
