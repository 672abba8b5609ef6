import type { Port, Server } from './view';

/** What is to be there, as far as the kernel knows it. */
export interface Plan {
  readonly bridges: readonly Bridge[];
  readonly nodes: readonly Node[];
  readonly machines: readonly Machine[];
}

/** A Neutron network with something plugged in. */
export interface Bridge {
  readonly name: string;
  readonly networkId: string;
  readonly mtu: number;
  /** Of this host in that network, with prefix length: a management network's has some, the controllers' first. */
  readonly addresses: readonly string[];
  /** TCP ports of the first address, and those of this host's loopback that they lead to. */
  readonly forwards: readonly { readonly port: number; readonly to: number }[];
}

/** A namespace with interfaces. */
export interface Node {
  readonly namespace: string;
  readonly nics: readonly Nic[];
  /** Given to whoever sets its addresses here; empty where the machine does so itself. */
  readonly routes: readonly Route[];
  /** Null for what forwards nothing. */
  readonly nat: Nat | null;
}

export interface Nic {
  readonly port: Port;
  /** The end on the bridge. */
  readonly link: string;
  readonly bridge: string;
  /** The end in the node. */
  readonly device: string;
  readonly mtu: number;
  /** With prefix length; empty where the machine sets its own. */
  readonly addresses: readonly string[];
}

export interface Route {
  readonly destination: string;
  /** Null for what is on the link. */
  readonly via: string | null;
  readonly device: string;
}

export interface Nat {
  /** Device of the gateway; null for a router without one. */
  readonly gateway: string | null;
  readonly floating: readonly { readonly outer: string; readonly inner: string }[];
}

export type Power = 'on' | 'off' | 'frozen' | 'as it is';

/** A server, and what it is to be doing. */
export interface Machine {
  readonly server: Server;
  readonly namespace: string;
  readonly power: Power;
  /** Engines run an agent; other servers only have their addresses. */
  readonly isEngine: boolean;
  /** In the order in which Nova shows them, the management network's first. */
  readonly ports: readonly Port[];
}

/** Owners of ports that tests make for clients and members: each gets a namespace. */
export const ENDPOINT_OWNER = 'slipstream-lab:';
export const METADATA_ADDRESS = '169.254.169.254';
