/** Names of a browser that the types of playwright-core and axe-core speak of. Tests run in Node: they hold none of these. */
declare global {
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
    readonly title: string;
  }
  interface SVGElement extends Element {
    readonly id: string;
  }
  interface Document extends Node {
    readonly title: string;
  }
  interface Window {
    readonly name: string;
  }
  interface DOMRect {
    readonly width: number;
  }
  interface HTMLElementTagNameMap {
    readonly body: HTMLElement;
  }
}

export {};
