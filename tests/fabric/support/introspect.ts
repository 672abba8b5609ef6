import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Introspect pages: sandesh in XML, as control-nodes and vRouter agents answer. */
export type Field = string | number | Struct | readonly Struct[] | readonly string[];
export interface Struct {
  readonly name: string;
  readonly fields: Readonly<Record<string, Field | undefined>>;
}

export const struct = (name: string, fields: Struct['fields']): Struct => ({ name, fields });

/** Answers `/Snh_<page>?...` with what `pages` gives for the query. */
export interface Pages {
  readonly [page: string]: (query: URLSearchParams) => Struct | Promise<Struct>;
}

export interface IntrospectServer {
  /** `host:port`. */
  readonly address: string;
  close(): Promise<void>;
}

export interface Place {
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
}

const ANYWHERE: Place = { host: '127.0.0.1', port: 0 };

/** @throws for an address that is taken */
export async function serveIntrospect(pages: Pages, place: Place = ANYWHERE): Promise<IntrospectServer> {
  const server: Server = createServer(async (request, response) => {
    const url = new URL(request.url ?? '/', 'http://localhost');
    const page = pages[url.pathname.replace('/Snh_', '')];
    response.setHeader('Content-Type', 'text/xml');
    try {
      const found = await page?.(url.searchParams);
      response.statusCode = found ? 200 : 404;
      response.end(found ? `<?xml version="1.0"?>${render(found, 'sandesh')}` : '');
    } catch (error) {
      response.statusCode = 500;
      response.end(escapeText(String(error)));
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(place.port, place.host, resolve);
  });
  const { address, port } = server.address() as AddressInfo;
  return {
    address: `${address}:${port}`,
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
  const begin = (type: string) => `<${name} type="${type}" identifier="${identifier}">`;
  if (typeof value === 'number') return `${begin('i32')}${value}</${name}>`;
  if (typeof value === 'string') return `${begin('string')}${escapeText(value)}</${name}>`;
  if (isStruct(value)) return `${begin('struct')}${render(value)}</${name}>`;
  const isText = typeof value[0] === 'string';
  const items = value.map((one) => (typeof one === 'string' ? `<element>${escapeText(one)}</element>` : render(one)));
  const list = `<list type="${isText ? 'string' : 'struct'}" size="${value.length}">${items.join('')}</list>`;
  return `${begin('list')}${list}</${name}>`;
}

function isStruct(value: Struct | readonly Struct[] | readonly string[]): value is Struct {
  return !Array.isArray(value);
}

function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
