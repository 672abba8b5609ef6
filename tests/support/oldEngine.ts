import { once } from 'node:events';
import { createServer } from 'node:http';
import { WebSocket, WebSocketServer } from 'ws';

/** Passes messages between an agent and a health-manager on, and makes the agent's hello that of an older one. */
export interface VersionRelay {
  /** Types of the messages that went to the agent and to the health-manager. */
  readonly toEngine: readonly { readonly type: string; readonly version?: number }[];
  readonly toController: readonly { readonly type: string }[];
  close(): Promise<void>;
}

/** @param socketPath where the agent dials; @param versions what its hello says it speaks */
export async function openVersionRelay(
  socketPath: string,
  url: string,
  versions: readonly number[],
): Promise<VersionRelay> {
  const http = createServer();
  const server = new WebSocketServer({ server: http });
  const [toEngine, toController]: { type: string }[][] = [[], []];
  const open = new Set<WebSocket>();
  server.on('connection', (engine) => {
    const controller = new WebSocket(url);
    for (const [one, other] of [
      [engine, controller],
      [controller, engine],
    ] as const) {
      open.add(one);
      one
        .on('error', () => undefined)
        .once('close', () => {
          open.delete(one);
          other.close();
        });
    }
    const connected = once(controller, 'open');
    engine.on('message', async (data) => {
      const message = JSON.parse(String(data));
      const text = JSON.stringify(message.type === 'hello' ? { ...message, versions } : message);
      toController?.push(message);
      await connected;
      controller.send(text);
    });
    controller.on('message', (data) => {
      toEngine?.push(JSON.parse(String(data)));
      engine.send(String(data));
    });
  });
  http.listen(socketPath);
  await once(http, 'listening');
  return {
    toEngine: toEngine ?? [],
    toController: toController ?? [],
    async close() {
      for (const socket of open) socket.terminate();
      await new Promise((resolve) => server.close(resolve));
      await new Promise((resolve) => http.close(resolve));
    },
  };
}
