"""The care of accounts: opened, edited, paid into, paid out, complained about, closed; inmates' money; cards."""
