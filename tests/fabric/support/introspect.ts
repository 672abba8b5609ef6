import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Introspect pages: sandesh in XML, as control-nodes and vRouter agents answer. */
export type Field = string | number | readonly Struct[];
export interface Struct {
  readonly name: string;
  readonly fields: Readonly<Record<string, Field | undefined>>;
}

export const struct = (name: string, fields: Struct['fields']): Struct => ({ name, fields });

/** Answers `/Snh_<page>?...` with what `pages` gives for the query. */
export interface Pages {
  readonly [page: string]: (query: URLSearchParams) => Struct;
}

export interface IntrospectServer {
  /** `host:port`. */
  readonly address: string;
  close(): Promise<void>;
}

export async function serveIntrospect(pages: Pages): Promise<IntrospectServer> {
  const server: Server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://localhost');
    const page = pages[url.pathname.replace('/Snh_', '')];
    response.setHeader('Content-Type', 'text/xml');
    response.statusCode = page ? 200 : 404;
    response.end(page ? `<?xml version="1.0"?>${render(page(url.searchParams), 'sandesh')}` : '');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function render({ name, fields }: Struct, type?: string): string {
  const inner = Object.entries(fields).map(([key, value], index) => renderField(key, value, index + 1));
  return `<${name}${type === undefined ? '' : ` type="${type}"`}>${inner.join('')}</${name}>`;
}

function renderField(name: string, value: Field | undefined, identifier: number): string {
  if (value === undefined) return '';
  if (!Array.isArray(value)) {
    const type = typeof value === 'number' ? 'i32' : 'string';
    return `<${name} type="${type}" identifier="${identifier}">${escapeText(String(value))}</${name}>`;
  }
  const all = value.map((one: Struct) => render(one)).join('');
  return `<${name} type="list" identifier="${identifier}"><list type="struct" size="${value.length}">${all}</list></${name}>`;
}

function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
