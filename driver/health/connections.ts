import type { EngineConnection } from '../db/engineConnections';
import type { FromController } from '../protocol/messages';

/** One engine's connection, as the rest of the health-manager sees it. */
export interface EngineLink extends EngineConnection {
  readonly engineName: string;
  /** Of the protocol that is spoken on it. */
  readonly version: number;
  /** Of the agent at its other end. */
  readonly bootId: string;
  /** Another agent with this engine's certificate was turned away because of this connection, and nobody was told yet. */
  hasRival: boolean;
  readonly networks: LinkNetworks;
  /** The agent answers `inspect`. */
  readonly inspects: boolean;
  /** What the engine holds, as far as is known: load balancer id to the version it was told last. */
  readonly held: Map<string, { readonly generation: number; readonly epoch: number }>;
  /** False from the moment the socket closes or is to be closed. */
  readonly open: boolean;
  /** Whether a heartbeat has come: the first one names every load balancer. */
  greeted: boolean;
  /** By the injected monotonic clock, milliseconds. */
  lastSeen: number;
  send(message: FromController): void;
  /** Ends the connection; `reason` goes to the engine. */
  close(reason: string): void;
  /** Ends it without waiting for the engine. */
  terminate(): void;
}

/** What an engine said of its networks when it connected. */
export interface LinkNetworks {
  /** It makes namespaces and moves interfaces, and is to be told which. */
  readonly managed: boolean;
  /** Of what it holds. */
  readonly digest: string | null;
}

/** The connections of this health-manager, at most one an engine: the newest. */
export interface Connections {
  get(engineId: string): EngineLink | undefined;
  all(): readonly EngineLink[];
  /** Closes an older connection of the same engine. */
  add(link: EngineLink): void;
  /** True if it was the engine's present connection. */
  remove(link: EngineLink): boolean;
}

export function createConnections(): Connections {
  const links = new Map<string, EngineLink>();
  return {
    get: (engineId) => links.get(engineId),
    all: () => [...links.values()],
    add(link) {
      const older = links.get(link.engineId);
      links.set(link.engineId, link);
      older?.close('a newer connection of this engine came in');
    },
    remove(link) {
      if (links.get(link.engineId) !== link) return false;
      return links.delete(link.engineId);
    },
  };
}
