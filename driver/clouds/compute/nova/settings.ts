/** What the servers of engines are made of, as the configuration says. */
export interface NovaSettings {
  /** On every server of this installation: what bears it and has no engine is deleted. */
  readonly owner: string;
  readonly flavorId: string;
  readonly image: { readonly tag: string; readonly ownerId: string | null };
  /** Network ids, the management network first. */
  readonly networkIds: readonly string[];
  /** Security groups of the ports that Nova makes in them. */
  readonly securityGroupIds: readonly string[];
  readonly keyName: string | null;
  readonly availabilityZone: string | null;
  /** Policy of the server group that each service engine group then has: "anti-affinity", "soft-anti-affinity", ...; null for none. */
  readonly antiAffinity: string | null;
  /** Milliseconds that Nova is listened to while it plugs a port in, which it goes on with; 15,000 by default. */
  readonly attachTimeout?: number;
  /** How servers learn whose they are. The config drive carries the same metadata, where no metadata service answers. */
  readonly bootstrap: 'metadata' | 'config_drive';
}
