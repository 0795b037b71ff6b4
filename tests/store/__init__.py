"""The store on SQLite and on PostgreSQL: durable writes, snapshots, schema."""
