import type { ManagerFigures } from './figures.js';
import type { Phase } from './script.js';

/** To the process that runs the simulated manager. */
export type ManagerCommand =
  | { readonly kind: 'become'; readonly id: number; readonly state: Phase['manager'] }
  | { readonly kind: 'report'; readonly id: number };

/** From it. */
export type ManagerNotice =
  | { readonly kind: 'listening'; readonly address: string }
  | { readonly kind: 'reported'; readonly id: number; readonly figures: ManagerFigures }
  | { readonly kind: 'failed'; readonly id: number | undefined; readonly message: string };
