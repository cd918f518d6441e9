/** Who looks, and what they may do. An app that does not say so lets everybody do everything. */
import { ApiError, ask } from './client';

export interface Me {
  mode: 'keys' | 'entra';
  name: string;
  recordedAs: string;
  roles: string[];
  may: Record<string, { allowed: boolean; needs: string } | undefined>;
}

export async function loadMe(): Promise<Me | null> {
  try {
    return await ask<Me>('me');
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return null;
    throw error;
  }
}
