// Owns the one shape of a refusal on the appservice listener: the standard error of the Matrix specification.
import type { Response } from 'express';

export function refuse(response: Response, status: number, errcode: string, error: string): void {
  response.status(status).json({ errcode, error });
}
