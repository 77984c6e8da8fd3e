// Owns the HTML of messages: read by the browser's parser, rebuilt from an allow-list, never given to the page as HTML.
import { createElement, type ReactNode } from 'react';

const kept = new Set(['b', 'strong', 'i', 'em', 'u', 'del', 'code', 'pre', 'p', 'ul', 'ol', 'li', 'blockquote', 'span', 'br', 'div', 'hr']);
const dropped = new Set(['mx-reply', 'script', 'style', 'template', 'iframe', 'object', 'svg', 'math']);
const headings = new Set(['h1', 'h2', 'h3', 'h4', 'h5', 'h6']);
const maxDepth = 30;

/** Elements of the specification's list that a short message needs; unknown ones lose their tag, not their text. */
export function renderHtml(html: string): ReactNode {
  return children(new DOMParser().parseFromString(html, 'text/html').body, 0);
}

function children(parent: Node, depth: number): ReactNode[] {
  return depth > maxDepth ? [] : [...parent.childNodes].map((node, index) => render(node, index, depth + 1));
}

function render(node: Node, key: number, depth: number): ReactNode {
  if (node instanceof Text) return node.data;
  if (!(node instanceof Element)) return null;
  const tag = node.localName;
  if (dropped.has(tag)) return null;
  if (tag === 'a') return link(node, key, depth);
  if (tag === 'br' || tag === 'hr') return createElement(tag, { key });
  const element = headings.has(tag) ? 'strong' : kept.has(tag) ? tag : undefined;
  return element === undefined ? children(node, depth) : createElement(element, { key }, ...children(node, depth));
}

function link(node: Element, key: number, depth: number): ReactNode {
  const href = node.getAttribute('href') ?? '';
  if (!/^(https?|mailto):/i.test(href)) return <span key={key}>{children(node, depth)}</span>;
  return <a key={key} href={href} target="_blank" rel="noopener noreferrer">{children(node, depth)}</a>;
}

/** Text with its web addresses as links. */
export function renderText(text: string): ReactNode {
  return text.split(/(https?:\/\/\S+[^\s.,;:!?)\]])/).map((part, index) =>
    index % 2 === 1 ? <a key={index} href={part} target="_blank" rel="noopener noreferrer">{part}</a> : part,
  );
}
