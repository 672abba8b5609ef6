import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';

/** A server as Nova shows it to an admin, as far as a host reads it; tests change it at will. */
export interface ShownServer {
  readonly id: string;
  readonly name: string;
  status: string;
  updated: string;
  readonly metadata: Record<string, string>;
  readonly config_drive: string;
  readonly 'OS-EXT-SRV-ATTR:user_data': string | null;
  /** The latest first. */
  actions: { action: string; request_id: string }[];
}

/** The part of Nova's API that the lab's hosts read. */
export interface NovaFace {
  readonly url: string;
  boot(server: Partial<ShownServer>): ShownServer;
  /** As after a call that did this. */
  act(server: ShownServer, action: string, status?: string): void;
  remove(server: ShownServer): void;
  close(): Promise<void>;
}

export async function startNovaFace(): Promise<NovaFace> {
  const servers = new Map<string, ShownServer>();
  const app = express();
  app.get('/servers/detail', (req, res) => {
    const all = [...servers.values()].sort((one, other) => (one.id < other.id ? -1 : 1));
    const rest = all.filter(({ id }) => id > String(req.query['marker'] ?? ''));
    // One a page: whoever reads the first page alone sees one server.
    const servers_links = rest.length > 1 ? [{ rel: 'next', href: '' }] : undefined;
    res.json({ servers: rest.slice(0, 1), servers_links });
  });
  app.get('/servers/:id/os-instance-actions', (req, res) => {
    res.json({ instanceActions: servers.get(req.params.id)?.actions ?? [] });
  });
  const server = createServer(app);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const change = (shown: ShownServer, action: string) => {
    shown.updated = new Date().toISOString();
    shown.actions = [{ action, request_id: `req-${randomUUID()}` }, ...shown.actions];
  };
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    boot(given) {
      const shown: ShownServer = {
        id: randomUUID(),
        name: 'server',
        status: 'ACTIVE',
        updated: '',
        metadata: {},
        config_drive: '',
        'OS-EXT-SRV-ATTR:user_data': null,
        actions: [],
        ...given,
      };
      change(shown, 'create');
      servers.set(shown.id, shown);
      return shown;
    },
    act(shown, action, status = shown.status) {
      shown.status = status;
      change(shown, action);
    },
    remove: ({ id }) => servers.delete(id),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
