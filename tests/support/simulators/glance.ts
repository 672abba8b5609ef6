import { createHash, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';

interface SimulatedImage {
  readonly id: string;
  readonly name: string;
  readonly owner: string;
  readonly tags: readonly string[];
  readonly created_at: string;
  readonly visibility: string;
  status: 'queued' | 'active';
  size: number | null;
  os_hash_algo: string | null;
  os_hash_value: string | null;
}

/** A Glance behind its API v2, on a loopback port, in the name of one project. */
export interface GlanceSimulator {
  readonly url: string;
  readonly images: Map<string, SimulatedImage>;
  /** Largest image it takes, in bytes. */
  maxSize: number;
  /** It keeps something else than what it is sent. */
  corrupts: boolean;
  /** The next upload is taken and not answered. */
  losesUpload: boolean;
  /** Adds an image that is there already. */
  add(image: Partial<SimulatedImage>): SimulatedImage;
  close(): Promise<void>;
}

export const PROJECT = 'project-service';

const CreateImage = z.looseObject({
  name: z.string(),
  disk_format: z.enum(['qcow2', 'raw']),
  container_format: z.literal('bare'),
  visibility: z.enum(['private', 'shared', 'community', 'public']),
  owner: z.string().default(PROJECT),
  tags: z.array(z.string()),
});

export async function startGlance(): Promise<GlanceSimulator> {
  const images = new Map<string, SimulatedImage>();
  let made = 0;
  const add: GlanceSimulator['add'] = (image) => {
    made += 1;
    const added: SimulatedImage = {
      id: randomUUID(),
      name: 'engine',
      owner: PROJECT,
      tags: [],
      created_at: new Date(Date.UTC(2026, 0, 1) + made * 1000).toISOString(),
      visibility: 'private',
      status: 'active',
      size: null,
      os_hash_algo: null,
      os_hash_value: null,
      ...image,
    };
    images.set(added.id, added);
    return added;
  };
  const server = createServer((req, res) => {
    answer(glance, req, res).catch(() => res.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const glance: GlanceSimulator = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    images,
    maxSize: Number.POSITIVE_INFINITY,
    corrupts: false,
    losesUpload: false,
    add,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return glance;
}

async function answer(glance: GlanceSimulator, req: IncomingMessage, res: ServerResponse): Promise<void> {
  const url = new URL(req.url ?? '', 'http://glance');
  const [, , , id, part] = url.pathname.split('/');
  if (!req.headers['x-auth-token']) return refuse(res, 401);
  if (id === undefined) {
    if (req.method === 'POST') return create(glance, req, res);
    return show(res, 200, { images: list(glance, url.searchParams) });
  }
  const image = glance.images.get(id);
  if (!image) return refuse(res, 404);
  if (part === 'file' && req.method === 'PUT') return fill(glance, image, { req, res });
  if (req.method === 'DELETE') {
    glance.images.delete(id);
    return void res.writeHead(204).end();
  }
  return show(res, 200, image);
}

async function create(glance: GlanceSimulator, req: IncomingMessage, res: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of req) chunks.push(chunk as Buffer);
  const body = CreateImage.safeParse(JSON.parse(Buffer.concat(chunks).toString()));
  if (!body.success) return refuse(res, 400);
  const { name, tags, visibility, owner } = body.data;
  show(res, 201, glance.add({ name, tags, visibility, owner, status: 'queued' }));
}

async function fill(
  glance: GlanceSimulator,
  image: SimulatedImage,
  { req, res }: { req: IncomingMessage; res: ServerResponse },
): Promise<void> {
  if (req.headers['content-type'] !== 'application/octet-stream') return refuse(res, 415);
  if (image.status !== 'queued') return refuse(res, 409);
  const hash = createHash('sha512');
  let size = 0;
  for await (const chunk of req) {
    size += (chunk as Buffer).length;
    hash.update(chunk as Buffer);
    if (size > glance.maxSize) return refuse(res, 413);
  }
  if (glance.corrupts) hash.update('something else');
  Object.assign(image, { status: 'active', size, os_hash_algo: 'sha512', os_hash_value: hash.digest('hex') });
  if (glance.losesUpload) return void req.socket.destroy();
  res.writeHead(204).end();
}

function list({ images }: GlanceSimulator, query: URLSearchParams): SimulatedImage[] {
  const [tag, status, owner] = [query.get('tag'), query.get('status'), query.get('owner')];
  const sorted = [...images.values()]
    .filter((image) => tag === null || image.tags.includes(tag))
    .filter((image) => (status === null || image.status === status) && (owner === null || image.owner === owner))
    .sort((one, other) => (query.get('sort') === 'created_at:desc' && one.created_at < other.created_at ? 1 : -1));
  const from = sorted.findIndex(({ id }) => id === query.get('marker')) + 1;
  return sorted.slice(from, from + Number(query.get('limit') ?? 25));
}

function show(res: ServerResponse, status: number, body: object): void {
  res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

/** By HTML, as Glance does it. */
function refuse(res: ServerResponse, status: number): void {
  res.writeHead(status, { 'content-type': 'text/html' }).end(`<html><title>${status}</title></html>`);
}
