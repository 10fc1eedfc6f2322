/** What the types of the browser's driver and of axe name of a page; tests run outside of one and have no more of it. */
interface Node {
  readonly nodeType: number;
}
interface NodeList {
  readonly length: number;
}
interface Element extends Node {
  readonly tagName: string;
}
interface HTMLElement extends Element {
  readonly innerText: string;
}
interface SVGElement extends Element {
  readonly id: string;
}
interface HTMLElementTagNameMap {
  readonly input: HTMLElement;
}
interface Document extends Node {
  readonly title: string;
}
interface Window {
  readonly document: Document;
}
interface DOMRect {
  readonly width: number;
  readonly height: number;
}
