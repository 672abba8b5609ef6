/** Scenarios that are not played, by a pattern of their names, with the reason. */
export const CONTRAIL_LEFT_OUT: readonly { readonly names: RegExp; readonly why: string }[] = [];
