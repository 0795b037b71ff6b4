"""The audit: sealed entries in Parquet segments, reports over them, receipts and exports."""
